using System.Threading;
using System.Threading.Tasks;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <summary>The kind of token that a provider supplies.</summary>
    public enum TokenKind
    {
        /// <summary>
        /// An access token issued by the token service of the session service, obtained for example by your own server.
        /// </summary>
        AccessToken,

        /// <summary>A Microsoft Entra ID token for the scope <c>https://sts.mixedreality.azure.com/.default</c>.</summary>
        EntraToken,
    }

    /// <summary>
    /// Supplies the credential in an application that you give to other people, which must contain no account key. Derive
    /// from <see cref="TokenProviderAsset"/> or <see cref="TokenProviderBehaviour"/>.
    /// </summary>
    public interface ITokenProvider
    {
        /// <summary>The kind of all tokens from this provider. Must not change.</summary>
        TokenKind Kind { get; }

        /// <summary>
        /// Returns a valid token. Called on the main thread, before the first session and whenever the token is about to
        /// expire or was refused.
        /// </summary>
        Task<string> GetTokenAsync(CancellationToken cancellation);
    }

    /// <summary>A token provider as an asset, set in <see cref="RemoteRenderingSettings"/>.</summary>
    public abstract class TokenProviderAsset : ScriptableObject, ITokenProvider
    {
        /// <inheritdoc/>
        public virtual TokenKind Kind
        {
            get { return TokenKind.AccessToken; }
        }

        /// <inheritdoc/>
        public abstract Task<string> GetTokenAsync(CancellationToken cancellation);
    }

    /// <summary>
    /// A token provider as a component, on the same GameObject as <see cref="RemoteRenderingSession"/>. It takes precedence
    /// over the one in the settings.
    /// </summary>
    public abstract class TokenProviderBehaviour : MonoBehaviour, ITokenProvider
    {
        /// <inheritdoc/>
        public virtual TokenKind Kind
        {
            get { return TokenKind.AccessToken; }
        }

        /// <inheritdoc/>
        public abstract Task<string> GetTokenAsync(CancellationToken cancellation);
    }
}
